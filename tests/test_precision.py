import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import distribution

SHAPE = (16, 16, 1)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (8, *SHAPE)).astype("float32")
TINY = {
    "gan": lambda dtype: kerasgan.VanillaGAN(SHAPE, latent_dim=8, hidden=(16,), seed=1, dtype=dtype),
    "dcgan": lambda dtype: kerasgan.DCGAN(SHAPE, latent_dim=8, base_filters=4, seed=1, dtype=dtype),
    "vae": lambda dtype: kerasgan.VAE(SHAPE, latent_dim=4, base_filters=4, seed=1, dtype=dtype),
}


def compiled(name: str, dtype, **settings):
    model = TINY[name](dtype)
    model.compile(**settings)
    return model


def optimizers(model) -> list:
    return [model.optimizer] if isinstance(model, kerasgan.VAE) else [model.d_optimizer, model.g_optimizer]


def fit(model, **arguments) -> dict:
    return model.fit(IMAGES, batch_size=4, verbose=0, shuffle=False, **arguments).history


# Training


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", TINY)
def test_mixed_precision_trains_finite_with_float32_ends(name, dtype):
    model = compiled(name, dtype)
    start = model.get_weights()
    history = fit(model)
    assert np.isfinite(list(history.values())).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert not all(map(np.array_equal, start, model.get_weights()))
    assert all(variable.dtype == "float32" for variable in model.trainable_variables)
    for network in (*model.networks.values(), model.sampler):
        assert any(layer.compute_dtype == dtype.removeprefix("mixed_") for layer in network.layers)
        assert all(output.dtype == "float32" for output in network.outputs)
        assert network.layers[-1].compute_dtype == "float32"


@pytest.mark.parametrize("name", TINY)
def test_only_float16_is_loss_scaled(name):
    for dtype, scaled in (("float32", False), ("mixed_bfloat16", False), ("mixed_float16", True)):
        kinds = [isinstance(each, keras.optimizers.LossScaleOptimizer) for each in optimizers(compiled(name, dtype))]
        assert kinds == [scaled] * len(kinds), dtype


def test_float16_step_is_as_long_as_the_float32_step():
    moves = []
    for dtype in ("float32", "mixed_float16"):
        gan = kerasgan.VanillaGAN(SHAPE, latent_dim=8, hidden=(16,), dropout=0.0, seed=1, dtype=dtype)
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        start = gan.get_weights()
        gan.train_step(tf.constant(IMAGES))
        moves.append(np.concatenate([np.ravel(b - a) for a, b in zip(start, gan.get_weights(), strict=True)]))
    assert np.linalg.norm(moves[1] - moves[0]) < 0.02 * np.linalg.norm(moves[0])


# Loss scaling


@keras.saving.register_keras_serializable("kerasgan_tests")
class NaNTerm(kerasgan.regularizers.Regularizer):
    name = "nan_term"

    def penalty(self, batch):
        return float("nan") * tf.reduce_mean(batch.real_logits)


def test_nan_skips_the_update_and_halves_the_scale():
    gan = compiled("gan", "mixed_float16", regularizers=[NaNTerm(1.0)])
    before = gan.discriminator.get_weights(), gan.generator.get_weights()
    gan.train_step(tf.constant(IMAGES))
    assert all(map(np.array_equal, before[0], gan.discriminator.get_weights()))
    assert not all(map(np.array_equal, before[1], gan.generator.get_weights()))
    assert float(gan.d_optimizer.dynamic_scale) == 2.0**14
    assert float(gan.g_optimizer.dynamic_scale) == 2.0**15


def test_float16_model_keeps_policy_and_scale_through_save_and_load(tmp_path):
    gan = compiled("gan", "mixed_float16", regularizers=[NaNTerm(1.0)])
    gan.train_step(tf.constant(IMAGES))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.dtype_policy.name == "mixed_float16"
    policies = [[layer.dtype_policy.name for layer in each.generator.layers] for each in (gan, loaded)]
    assert policies[0] == policies[1]
    assert float(loaded.d_optimizer.dynamic_scale) == 2.0**14
    for one, other in zip(optimizers(gan), optimizers(loaded), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.variables, other.variables, strict=True))
    for model in (gan, loaded):
        fit(model)
    assert all(map(np.array_equal, gan.get_weights(), loaded.get_weights()))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_users_own_loss_scale_optimizers_are_kept(dtype, tmp_path):
    def own():
        inner = keras.optimizers.Adam(1e-3)
        return keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)

    gan = compiled("gan", dtype, d_optimizer=own(), g_optimizer=own())
    fit(gan)
    assert float(gan.d_optimizer.dynamic_scale) == 16.0
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    fit(loaded)
    assert float(loaded.d_optimizer.dynamic_scale) == 32.0
    assert float(loaded.optimizer.learning_rate) == pytest.approx(1e-3)


# Words


@pytest.mark.parametrize("word", ["float32", "mixed_bfloat16"])
def test_word_gives_its_policy(word):
    assert kerasgan.precision(word) == keras.DTypePolicy(word)


def test_auto_is_one_of_the_words_and_what_the_hardware_report_says():
    hardware = distribution.describe_hardware()
    assert kerasgan.precision("auto").name == hardware.precision
    assert hardware.precision in distribution.PRECISIONS
    assert hardware.cpu
    assert hardware.cores >= 1
    assert hardware.memory_gib is None or hardware.memory_gib > 0


def test_policy_is_a_model_argument():
    model = TINY["dcgan"](kerasgan.precision("mixed_bfloat16"))
    assert model.dtype_policy.name == "mixed_bfloat16"


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="a GPU computes in float16")
def test_float16_without_a_gpu_is_refused_with_an_alternative():
    with pytest.raises(ValueError, match=r"needs a GPU.*mixed_bfloat16"):
        kerasgan.precision("mixed_float16")


@pytest.mark.parametrize("flags", [(), ("avx512_bf16",)], ids=str)
def test_bfloat16_without_instructions_is_slow_and_said_to_be(flags, monkeypatch):
    monkeypatch.setattr(distribution, "bfloat16_flags", lambda: flags)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert distribution.precision("mixed_bfloat16").name == "mixed_bfloat16"
        assert distribution.precision("auto").name == ("mixed_bfloat16" if flags else "float32")
    assert ["has no instructions for it" in str(each.message) for each in caught] == [True] * (not flags)


def test_unknown_precision_is_named_and_the_words_listed():
    with pytest.raises(ValueError, match=r"'mixed_float8'.*float32, mixed_bfloat16"):
        kerasgan.precision("mixed_float8")


@pytest.mark.parametrize(
    ("capabilities", "cpu_has_bfloat16", "word"),
    [
        ([], False, "float32"),
        ([], True, "mixed_bfloat16"),
        ([(9, 0)], False, "mixed_bfloat16"),
        ([(8, 0)], True, "mixed_bfloat16"),
        ([(7, 5)], True, "mixed_float16"),
        ([(6, 1)], True, "float32"),
        ([(9, 0), (7, 0)], False, "mixed_float16"),
        ([None], True, "float32"),
    ],
)
def test_least_capable_device_decides(capabilities, cpu_has_bfloat16, word):
    assert distribution.choose_precision(capabilities, cpu_has_bfloat16) == word
