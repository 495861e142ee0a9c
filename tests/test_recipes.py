import keras
import numpy as np
import pytest

from kerasgan import data
from kerasgan.runs import recipes

INFO = data.info("mnist_mini")
GOOD = {
    "epochs": 3,
    "model": {"type": "dcgan", "base_filters": 4, "latent_dim": 4},
    "data": {"source": "mnist_mini", "batch_size": 16},
    "compile": {"loss": "hinge", "g_optimizer": {"name": "sgd", "learning_rate": 0.25}},
}


def changed(**changes):
    recipe = {key: dict(value) if isinstance(value, dict) else value for key, value in GOOD.items()}
    for key, value in changes.items():
        table, _, name = key.partition("__")
        if name:
            recipe[table][name] = value
        else:
            recipe[table] = value
    return recipe


def test_toml_round_trip(tmp_path):
    recipe = recipes.from_dict(GOOD)
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    assert recipes.read(tmp_path / "recipe.toml") == recipe


def test_a_recipe_builds_what_it_says():
    model = recipes.build_model(recipes.from_dict(GOOD | {"precision": "float32"}), INFO)
    assert model.base_filters == 4
    assert model.image_shape == (28, 28, 1)
    assert type(model.loss).__name__ == "Hinge"
    assert isinstance(model.g_optimizer, keras.optimizers.SGD)
    assert float(model.g_optimizer.learning_rate) == 0.25
    assert isinstance(model.d_optimizer, keras.optimizers.Adam)


def test_a_number_for_both_networks_or_one_for_each():
    for blocks in (2, [2, 1]):
        recipe = recipes.from_dict(changed(model={"type": "r3gan", "widths": [4, 2], "blocks": blocks}, compile={}))
        assert recipes.build_model(recipe, INFO).blocks == blocks


def test_resolved_writes_the_defaults_out():
    recipe = recipes.resolved(recipes.from_dict(GOOD))
    assert recipe.model["ema_decay"] == 0.999
    assert recipe.model["base_filters"] == 4
    assert recipe.precision != "auto"
    assert recipes.from_dict(recipes.resolved(recipe).__dict__) == recipe


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (changed(epoch=3), "Unknown key 'epoch'. Did you mean 'epochs'"),
        (changed(epochs=0), "at least 1 and .* received 0"),
        (changed(model__base_filter=3), r"In \[model\].*Did you mean 'base_filters'"),
        (changed(model={"type": "cyclegan", "blocks": [3, 1]}), r"blocks in \[model\] must be a whole number"),
        (changed(model={"type": "r3gan", "blocks": [3, 1.5]}), r"Every part of blocks in \[model\] must be a whole"),
        (changed(model__type="dcgn"), "Unknown model 'dcgn'. Did you mean 'dcgan'"),
        (changed(data__batchsize=3), r"In \[data\].*Did you mean 'batch_size'"),
        (changed(compile__optimizer="adam"), r"In \[compile\].*Did you mean 'd_optimizer'|'g_optimizer'"),
        (changed(card={"title": "x"}), r"In \[card\]"),
        ({"model": {"type": "dcgan"}}, "needs data.source"),
        ({"data": {"source": "mnist_mini"}}, "needs model.type"),
    ],
)
def test_mistakes_are_named(recipe, message):
    with pytest.raises(ValueError, match=message):
        recipes.from_dict(recipe)


def test_optimizer_mistakes_are_named():
    with pytest.raises(ValueError, match="Did you mean 'learning_rate'"):
        recipes.from_dict(changed(compile__g_optimizer={"name": "adam", "learningrate": 1}))
    with pytest.raises(ValueError, match="needs a name"):
        recipes.from_dict(changed(compile__g_optimizer={"learning_rate": 1.0}))


COSINE = {"name": "cosine_decay", "initial_learning_rate": 0.5}


def test_a_schedule_decays_over_the_whole_run():
    adam = {"name": "adam", "learning_rate": COSINE}
    model = recipes.build_model(recipes.from_dict(changed(compile__d_optimizer=adam)), INFO)
    schedule = model.d_optimizer.get_config()["learning_rate"]
    assert schedule["config"]["decay_steps"] == 3 * (10_000 // 16)
    assert float(model.d_optimizer.learning_rate) == 0.5
    assert float(model.g_optimizer.learning_rate) == 0.25


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (COSINE | {"name": "cosin_decay"}, "Did you mean 'cosine_decay'"),
        (COSINE | {"alfa": 0.1}, "Did you mean 'alpha'"),
        ({"name": "cosine_decay"}, "needs initial_learning_rate"),
    ],
)
def test_schedule_mistakes_are_named(schedule, message):
    with pytest.raises(ValueError, match=message):
        recipes.from_dict(changed(compile__d_optimizer={"name": "adam", "learning_rate": schedule}))


@pytest.mark.parametrize("count", [9, 12])
def test_a_number_of_classes_that_disagrees_with_the_data_is_refused(count):
    recipe = recipes.from_dict(changed(model={"type": "conditional_gan", "base_filters": 4, "num_classes": count}))
    with pytest.raises(
        ValueError, match=rf"num_classes in \[model\] is {count}, but mnist_mini has 10 .* Leave it out"
    ):
        recipes.build_model(recipe, INFO)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_model_with_classes_or_without_learns_what_labels_there_are(labelled, tmp_path):
    images, labels = np.zeros((8, 16, 16, 1), "uint8"), np.arange(8) % 3
    np.savez(tmp_path / "all.npz", images=images, **{"labels": labels} if labelled else {})
    narrow = {"type": "sngan", "latent_dim": 4, "g_filters": 4, "d_filters": [4, 4, 8]}
    recipe = recipes.from_dict({"model": narrow, "data": {"source": str(tmp_path / "all.npz"), "batch_size": 4}})
    model = recipes.build_model(recipe, recipes.describe_data(recipe))
    assert model.num_classes == (3 if labelled else None)
    assert list(model.takes) == (["latents", "labels"] if labelled else ["latents"])
    assert isinstance(next(iter(recipes.load_data(recipe))), tuple) == labelled


def test_tables_become_the_objects_they_describe():
    chosen = changed(compile__regularizers=[{"name": "r1", "weight": 10}, "r2"], compile__loss={"name": "hinge"})
    model = recipes.build_model(recipes.from_dict(chosen), INFO)
    assert [(each.name, each.weight) for each in model.regularizers] == [("r1", 10), ("r2", 1.0)]
    assert type(model.loss).__name__ == "Hinge"


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="no recipe"):
        recipes.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("epochs = ")
    with pytest.raises(ValueError, match="not valid TOML"):
        recipes.read(tmp_path / "bad.toml")


@pytest.mark.parametrize(("word", "middle"), [("linear", 0.5), ("cosine", 0.5)])
def test_one_word_lets_all_learning_rates_fall_to_zero_with_the_run(word, middle):
    recipe = recipes.from_dict(changed(compile={"decay": word, "d_optimizer": {"name": "adam", "learning_rate": 0.5}}))
    model = recipes.build_model(recipe, INFO)
    rounds = recipes.count_rounds(recipe, INFO)
    starts = [0.5, 2e-4]
    for done, share in ((0, 1.0), (rounds // 2, middle), (rounds, 0.0)):
        model.clock.steps.assign(done)
        rates = [float(each.learning_rate) for each in (model.d_optimizer, model.g_optimizer)]
        np.testing.assert_allclose(rates, np.multiply(starts, share), rtol=1e-2, atol=1e-9)


def test_decay_of_a_lone_optimizer_and_where_it_makes_no_sense():
    vae = {"type": "vae", "base_filters": 4, "latent_dim": 4}
    model = recipes.build_model(recipes.from_dict(changed(model=vae, compile={"decay": "linear"})), INFO)
    model.optimizer.iterations.assign(recipes.count_rounds(recipes.from_dict(changed(model=vae, compile={})), INFO))
    assert float(model.optimizer.learning_rate) == 0.0
    twice = {"decay": "linear", "g_optimizer": {"name": "adam", "learning_rate": COSINE}}
    with pytest.raises(ValueError, match="a schedule both want the learning rate of Adam"):
        recipes.build_model(recipes.from_dict(changed(compile=twice)), INFO)
    with pytest.raises(ValueError, match="NaiveBayes is not trained by steps"):
        recipes.build_model(
            recipes.from_dict(changed(model={"type": "naive_bayes"}, compile={"decay": "linear"})), INFO
        )
    for value in ("sine", True, 3):
        with pytest.raises(ValueError, match=r"decay in \[compile\]"):
            recipes.from_dict(changed(compile={"decay": value}))
    with pytest.raises(ValueError, match=r"start in \[model\] must be text"):
        recipes.from_dict(changed(model={"type": "dcgan", "start": 1}))


def test_settings_of_updates_are_checked():
    good = {"freeze_d": 0, "top_k": {"name": "linear", "start": 1.0, "end": 0.5, "over": 10}, "accumulate": 2}
    model = recipes.build_model(recipes.from_dict(changed(compile=good)), INFO)
    assert model.top_k.end == 0.5
    augment = {"name": "scheduled", "probability": {"name": "cosine", "start": 0.0, "end": 0.3, "over": 10}}
    assert (
        recipes.build_model(recipes.from_dict(changed(compile={"augment": augment})), INFO).augment.probability.end
        == 0.3
    )
    for bad in ({"freeze_d": -1}, {"freeze_d": True}, {"top_k": "half"}, {"accumulate": 0}, {"accumulate": 1.5}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            recipes.from_dict(changed(compile=bad))
