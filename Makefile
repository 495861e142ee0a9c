.PHONY: test slow lint format benchmark ci

test:
	pytest

slow:
	pytest -m slow

lint:
	ruff check .
	ruff format --check .

format:
	ruff check --fix .
	ruff format .

benchmark:
	python tests/benchmarks/train_step.py

ci:
	.ci/run
