"""The game: what every generative model can do, the two players, and what joins them."""
