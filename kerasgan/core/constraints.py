"""Constraints of the discriminator's weights that hold from the start, not from the first update on."""

import keras


def constrain(network: keras.Model, constraint=None) -> keras.constraints.Constraint | None:
    """Put a network's trainable weights under a constraint, and return it; every optimizer keeps to it from then on.

    Args:
        network: whose weights.
        constraint: `keras.constraints.Constraint`, or its name, for all of them; None leaves each with its own.
    """
    constraint = keras.constraints.get(constraint)
    for variable in network.trainable_variables:
        if constraint is not None:
            variable.constraint = constraint
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable))
    return constraint
