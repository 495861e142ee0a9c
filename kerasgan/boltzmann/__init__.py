"""Boltzmann machines: their energies, chains, and estimates of their partition function."""
