import pytest
from export_models import StatelessNoise, make_gan, tiny_conditional, tiny_dcgan


@pytest.fixture(scope="session")
def dcgan():
    return tiny_dcgan()


@pytest.fixture(scope="session")
def conditional():
    return tiny_conditional()


@pytest.fixture
def needs_flex():
    return make_gan([StatelessNoise()])
