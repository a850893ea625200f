"""The schematic drawings of the course, each made by a function without arguments.

`autograder build` writes them as `solutions/NN_slug/figures/NAME.svg`; notebooks show them as
pictures. One pen gives all of them one style.
"""

from collections.abc import Callable, Mapping

from llmcourse.plotting.schematics import (
    attention,
    cells,
    counts,
    decoding,
    recurrent,
    training,
    transformer,
)

DRAWINGS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "02_ngrams": {
        "count_table": counts.draw_count_table,
        "backoff_ladder": counts.draw_backoff_ladder,
    },
    "06_rnn_lstm": {
        "unrolled_network": recurrent.draw_unrolled_network,
        "bptt": recurrent.draw_bptt,
        "lstm_cell": cells.draw_lstm_cell,
        "gru_cell": cells.draw_gru_cell,
        "stacked_layers": recurrent.draw_stacked_layers,
        "bidirectional": recurrent.draw_bidirectional,
    },
    "07_attention": {
        "bottleneck": attention.draw_bottleneck,
        "attention_step": attention.draw_attention_step,
        "one_head": attention.draw_one_head,
    },
    "08_transformers": {
        "gpt": transformer.draw_gpt,
        "attention_head": transformer.draw_attention_head,
        "many_heads": transformer.draw_many_heads,
        "transformer_block": transformer.draw_transformer_block,
    },
    "09_decoding": {
        "decoding_loop": decoding.draw_decoding_loop,
        "kv_cache": decoding.draw_kv_cache,
        "speculative": decoding.draw_speculative,
    },
    "10_pretraining": {
        "training_loop": training.draw_training_loop,
        "packing": training.draw_packing,
        "accumulation": training.draw_accumulation,
    },
}


def draw(slug: str) -> dict[str, str]:
    """Return the SVG text of each drawing of a unit by its name; a unit may have none."""
    return {name: drawing() for name, drawing in DRAWINGS.get(slug, {}).items()}
