"""Write text with a trained model: `llmcourse sample`.

unit: 10_pretraining
"""

from collections.abc import Callable
from pathlib import Path

import torch

from llmcourse.commands.run import RunError
from llmcourse.inference.decoding import Sampling, greedy, stream
from llmcourse.models.model_folder import END, load_folder


def write(
    folder: Path,
    prompt: str,
    n: int,
    temperature: float,
    top_p: float | None,
    seed: int,
    say: Callable[[str], None],
) -> None:
    """Say a prompt and up to n tokens after it, piece by piece as they are drawn.

    temperature: 0 takes the most probable token. Raises RunError, one line, for a folder that is
    no model, and for settings out of range.
    """
    try:
        model, tokenizer = load_folder(folder)
        choose = greedy if temperature == 0 else Sampling(temperature=temperature, top_p=top_p)
        end = tokenizer.special_ids.get(END)
        start = tokenizer.encode(prompt)
        ids = [*([] if end is None else [end]), *start]
        generator = torch.Generator().manual_seed(seed)
        steps = stream(
            model, [ids], n, choose=choose, generator=generator, end=[] if end is None else [end]
        )
        say(prompt)
        written = list(start)
        said = len(tokenizer.decode(start))  # characters; words have a space between them
        for (token,) in steps:
            if token is not None:
                written.append(token)
            text = tokenizer.decode(written)
            whole = text.rstrip("\ufffd")  # the last bytes may begin a character
            say(whole[said:])
            said = max(said, len(whole))
        say(tokenizer.decode(written)[said:] + "\n")
    except (ValueError, OSError) as error:
        raise RunError(str(error)) from None
