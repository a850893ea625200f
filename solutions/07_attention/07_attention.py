# %% [markdown] exercise="test_attention"
# Write `test_attention`, which returns `True` if a given implementation of attention is right and `False` if it has
# a bug. Its argument is a function `attention(queries, keys, values, mask)` that should return
# softmax(Q Kᵀ / √d) V, with weight 0 where the mask is `False`. Call it on inputs of your choice and compare what
# comes back with what you know must come back.
#
# ```python
# >>> test_attention(attention), test_attention(without_scaling)
# (True, False)
# ```
#
# | | |
# |---|---|
# | `attention` | a function of `queries` (T, d), `keys` (S, d), `values` (S, D), `mask` (T, S) that returns (T, D) |
# | your inputs | float64 arrays, a boolean mask (`True` = may attend) with a `True` in each row; at most 20 calls |
# | returns | `True` or `False` |
# | right ones | may compute in float32: allow differences of 1e-4 for numbers of size 1 |
# | an error | if `attention` raises an error on your valid input, it is wrong; you need not catch the error |

# %% exercise="test_attention"
def test_attention(attention) -> bool:
    """Return whether this implementation of attention is right."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng(0)
    for T, S in ((3, 5), (4, 4)):
        queries, keys, values = rng.normal(size=(T, 4)), rng.normal(size=(S, 4)), rng.normal(size=(S, 4))
        mask = rng.random((T, S)) < 0.6
        mask[:, 0] = True
        weights = attention_weights(queries @ keys.T / 2, mask)
        if not np.allclose(attention(queries, keys, values, mask), weights @ values, atol=1e-4):
            return False
    return True
    ### END SOLUTION


# %% check="test_attention"
check.test_attention(test_attention);
