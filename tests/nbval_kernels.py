"""pytest plugin: nbval tries again where a kernel ends before its first answer.

jupyter_client chooses the ports of a kernel before the kernel opens them. On a busy machine another
process may take one in between; the kernel then ends at once, and every cell of its notebook fails.
"""

from contextlib import suppress

import nbval.kernel

start_new_kernel = nbval.kernel.start_new_kernel


def start_new_kernel_again(*args, **keywords):
    for _ in range(2):
        with suppress(RuntimeError):
            return start_new_kernel(*args, **keywords)
    return start_new_kernel(*args, **keywords)


nbval.kernel.start_new_kernel = start_new_kernel_again
