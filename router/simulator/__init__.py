"""A stand-in for model providers: a small server on loopback that speaks their wire formats.

`python -m router.simulator --fd N` serves an inherited listening socket until its stdin closes.
It invents short answers that say they are simulated, at a human pace, and counts what it was
sent and what it sends. Every answer has the header `x-pointsman-simulated: 1`.

    OpenAI      /v1/chat/completions  /v1/completions  /v1/embeddings  /v1/models
    Anthropic   /v1/messages  /v1/messages/count_tokens  /v1/models
    Ollama      /api/chat  /api/generate  /api/embed  /api/tags  /api/show  /api/ps  /api/version

Any prefix before these is accepted, and every model name. When tools are offered it calls one, and
answers with text once it has the result. Some names are drills, to see failures at will:

    simulate-429, simulate-529, …   that HTTP status (400-599), as the provider words it
    simulate-too-long    400: the prompt is longer than the model can hold
    simulate-slow        30 seconds to the first token
    simulate-stall       silence after a few tokens, until the client leaves
    simulate-cut         the connection closes after a few tokens
    simulate-error       an error inside the stream after a few tokens ("overloaded")

POINTSMAN_SIMULATOR_PACE in the environment, or the header x-pointsman-simulator-pace, is a factor
on every wait: 0 answers at once, 2 takes twice as long. One rule: only the border (app.py,
__main__.py) does I/O or knows the time; prompt, answer and dialects are pure.
"""
