import contextlib

import keras
import numpy as np

from kerasgan import VanillaGAN


@keras.saving.register_keras_serializable("kerasgan_tests")
class Patient(VanillaGAN):
    """Leaves its generator alone for two epochs."""

    @property
    def phase(self):
        return "watch" if self.epochs_done < 2 else "play"

    def train_step(self, data):
        if self.phase == "play":
            return super().train_step(data)
        real, given = self.unpack(data)
        batch = self.synthesize(real, given, self.next_seed())
        return self.track(self.update_discriminator(batch))


def make():
    gan = Patient((16, 16, 1), latent_dim=4, hidden=(8,), seed=0)
    gan.compile()
    return gan


def test_an_epoch_of_another_phase_is_traced_anew_and_saved_epochs_count(images, tmp_path):
    straight = make()
    history = straight.fit(images, batch_size=16, epochs=3, verbose=0).history
    assert history["g_loss"][:2] == [0.0, 0.0]
    assert history["g_loss"][2] > 0.0
    assert straight.epochs_done == 3

    stopped = make()
    stopped.fit(images, batch_size=16, epochs=1, shuffle=False, verbose=0)
    stopped.save(tmp_path / "gan.keras")
    resumed = keras.models.load_model(tmp_path / "gan.keras")
    assert (resumed.epochs_done, resumed.phase) == (1, "watch")
    rest = resumed.fit(images, batch_size=16, epochs=3, initial_epoch=1, shuffle=False, verbose=0).history
    assert (rest["g_loss"][0], rest["g_loss"][1] > 0.0) == (0.0, True)


def test_backup_and_restore_keeps_the_phase(images, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise InterruptedError

    settings = {"batch_size": 16, "epochs": 3, "shuffle": False, "verbose": 0}
    gan = make()
    with contextlib.suppress(InterruptedError):
        gan.fit(images, callbacks=[keras.callbacks.BackupAndRestore(tmp_path), Stop()], **settings)
    again = make()
    again.fit(images, callbacks=[keras.callbacks.BackupAndRestore(tmp_path)], **settings)
    whole = make()
    whole.fit(images, **settings)
    assert again.epochs_done == whole.epochs_done == 3
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
