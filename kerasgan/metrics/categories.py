"""Which class of the data is meant by each category that a model found by itself."""

import numpy as np


def match(found: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the class of each category: int64 (count,), one to one, so that most examples agree.

    Args:
        found: integers (n,), the category of each example.
        labels: integers (n,), its class.
        count: how many categories there are, and classes.
    """
    agreeing = np.zeros((count, count), "int64")
    np.add.at(agreeing, (np.asarray(found), np.asarray(labels)), 1)
    return assignment(-agreeing)


def assignment(costs: np.ndarray) -> np.ndarray:
    """Return the column of each row, every one once, for which the sum of costs (n, n) is smallest: int64 (n,).

    Kuhn 1955, by shortest augmenting paths: a row a round, with a price for every row and column.
    """
    count = len(costs)
    # Column 0 of each stands for no column: there the row that is to be placed begins.
    padded = np.zeros((count + 1, count + 1))
    padded[1:, 1:] = costs
    row_price, column_price = np.zeros(count + 1), np.zeros(count + 1)
    row_of = np.zeros(count + 1, "int64")
    for row in range(1, count + 1):
        row_of[0], column = row, 0
        least, came_from = np.full(count + 1, np.inf), np.zeros(count + 1, "int64")
        visited = np.zeros(count + 1, bool)
        while row_of[column]:
            visited[column] = True
            here = row_of[column]
            cost = padded[here] - row_price[here] - column_price
            shorter = ~visited & (cost < least)
            least[shorter], came_from[shorter] = cost[shorter], column
            following = int(np.argmin(np.where(visited, np.inf, least)[1:])) + 1
            step = least[following]
            row_price[row_of[visited]] += step
            column_price[visited] -= step
            least[~visited] -= step
            column = following
        while column:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    columns = np.empty(count, "int64")
    columns[row_of[1:] - 1] = np.arange(count)
    return columns
