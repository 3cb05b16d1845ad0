"""An HTTP server over the same sessions as runs, in the form of OpenAI's and Anthropic's APIs."""
