"""What training costs: operations a token, and the fraction of the processor's rate that is used.

source: Kaplan et al. 2020, arXiv:2001.08361 (6 N); Chowdhery et al. 2022, arXiv:2204.02311,
appendix B (12 L C T for attention, model FLOPs utilisation).
unit: 10_pretraining
"""


def flops_per_token(n_parameters: int, n_layers: int, d_model: int, length: int) -> float:
    """Return the operations of training on one token, forward and backward.

    A parameter takes a multiplication and an addition forwards and twice that backwards: 6 N.
    Scores and weighted values take 4 C a key and layer forwards, so 12 L C T in all, as if no key
    were masked. n_parameters: those that multiply, so without an embedding that is only looked up.
    """
    return float(6 * n_parameters + 12 * n_layers * d_model * length)


def mfu(flops: float, tokens: int, seconds: float, peak: float, devices: int = 1) -> float:
    """Return the model FLOPs utilisation: operations done over operations possible, from 0 to 1.

    flops: a token. peak: operations a second of one device (`hardware.matmul_rate` measures it).
    """
    return flops * tokens / (seconds * peak * devices)
