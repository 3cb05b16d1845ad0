"""Chat templates: those that have a name here, and what a template can render.

A `.jinja` file in this folder is the template of its name. A template is Jinja as Transformers
renders it: https://huggingface.co/docs/transformers/chat_templating
"""
