"""Chat templates of the twelve most used families of models, in words of our own.

Each writes messages as the published one does, with the means of Jinja that that one uses, but for
tools and content in parts. Beside each stands the prompt of `Be kind.`, `Hi`, `Hello`, `Why?`.
"""

from __future__ import annotations

_TURNS = "{%- set turns = messages[1:] if messages[0]['role'] == 'system' else messages -%}"
_BY_TURNS = (
    "{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) -%}"
    "{{- raise_exception('user and assistant by turns') -}}{%- endif -%}"
)

LLAMA_2 = (
    "{%- if messages[0]['role'] == 'system' -%}"
    "{%- set head = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' -%}"
    "{%- else -%}{%- set head = '' -%}{%- endif -%}"
    + _TURNS
    + "{%- for m in turns -%}"
    + _BY_TURNS
    + "{%- if m['role'] == 'user' -%}"
    "{{- '<s>' + '[INST] ' + (head if loop.first else '') + m['content'].strip() + ' [/INST]' -}}"
    "{%- else -%}{{- ' ' + m['content'].strip() + ' </s>' -}}{%- endif -%}{%- endfor -%}"
)
LLAMA_3 = (
    "{%- set ns = namespace(text='<|begin_of_text|>') -%}{%- for m in messages -%}"
    "{%- set ns.text = ns.text + '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n'"
    " + m['content'] | trim + '<|eot_id|>' -%}{%- endfor -%}{{- ns.text -}}"
    "{%- if add_generation_prompt -%}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}{%- endif -%}"
)
QWEN_2_5 = (
    "{%- if messages[0].role != 'system' -%}"
    "{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}{%- endif -%}"
    "{%- for m in messages -%}"
    "{{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
QWEN_3 = """\
{%- set ns = namespace(last=-1) %}
{%- for m in messages[::-1] %}
    {%- if ns.last < 0 and m.role == 'user' %}
        {%- set ns.last = messages | length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for m in messages %}
    {%- set content = m.content if m.content is string else '' %}
    {%- if m.role == 'assistant' and '</think>' in content and loop.index0 < ns.last %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + m.role + '\\n' + content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
MISTRAL = (
    "{{- '<s>' -}}{%- for m in messages -%}{%- if m['role'] == 'system' -%}"
    "{{- '[SYSTEM_PROMPT]' + m['content'] + '[/SYSTEM_PROMPT]' -}}"
    "{%- elif m['role'] == 'user' -%}{{- '[INST]' + m['content'] + '[/INST]' -}}"
    "{%- elif m['role'] == 'assistant' -%}{{- m['content'] + '</s>' -}}"
    "{%- else -%}{{- raise_exception('no role ' + m['role']) -}}{%- endif -%}{%- endfor -%}"
)
GEMMA = """\
{{ '<bos>' }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first = messages[0]['content'] + '\\n\\n' -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set first = '' -%}
    {%- set turns = messages -%}
{%- endif -%}
{%- for m in turns -%}
    {%- set role = 'model' if m['role'] == 'assistant' else m['role'] -%}
    {{ '<start_of_turn>' + role + '\\n' + (first if loop.first else '') }}
    {%- if m['content'] is string -%}
        {{ m['content'] | trim }}
    {%- else -%}
        {{ raise_exception('Invalid content type') }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<start_of_turn>model\\n' }}
{%- endif -%}"""
PHI_4_MINI = (
    "{%- for m in messages -%}{%- if m['content'] -%}"
    "{{- '<|' + m['role'] + '|>' + m['content'] + '<|end|>' -}}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- else -%}{{- eos_token -}}"
    "{%- endif -%}"
)
DEEPSEEK_R1 = """\
{% set ns = namespace(system='') %}
{%- for m in messages %}{% if m['role'] == 'system' %}{% set ns.system = m['content'] %}{% endif %}
{%- endfor %}
{{- '<｜begin▁of▁sentence｜>' + ns.system }}
{%- for m in messages %}
    {%- if m['role'] == 'user' %}{{- '<｜User｜>' + m['content'] }}{% endif %}
    {%- if m['role'] == 'assistant' and m['content'] is not none %}
        {%- set content = m['content'] %}
        {%- if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}
        {{- '<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<｜Assistant｜><think>\\n' }}{% endif %}"""
GLM_4_5 = """\
[gMASK]<sop>
{%- macro visible_text(content) -%}
    {%- if content is string -%}{{- content }}
    {%- elif content is mapping -%}{{- content.text }}
    {%- endif -%}
{%- endmacro -%}
{%- for m in messages -%}
    {%- if m.role == 'assistant' -%}
        {%- set content = visible_text(m.content).split('</think>') | last -%}
        {{- '<|assistant|>\\n<think></think>' + ('\\n' + content.strip() if content.strip()) -}}
    {%- else -%}
        {{- '<|' + m.role + '|>\\n' + visible_text(m.content) -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"""
KIMI_K2 = """\
{%- for m in messages -%}
    {%- if loop.first and m['role'] != 'system' -%}
        {{- '<|im_system|>system<|im_middle|>You are a helpful assistant<|im_end|>' -}}
    {%- endif -%}
    {{- '<|im_' + m['role'] + '|>' + m['role'] + '<|im_middle|>' -}}
    {%- if m['content'] is string -%}{{- m['content'] + '<|im_end|>' -}}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_assistant|>assistant<|im_middle|>' -}}{%- endif -%}"""
COMMAND_R = (
    "{{- '<BOS_TOKEN>' -}}{%- set names = {'user': 'USER', 'assistant': 'CHATBOT'} -%}"
    "{%- if messages[0]['role'] == 'system' -%}"
    "{{- '<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>' + messages[0]['content']"
    " + '<|END_OF_TURN_TOKEN|>' -}}{%- endif -%}"
    + _TURNS
    + "{%- for m in turns -%}"
    + _BY_TURNS
    + "{{- '<|START_OF_TURN_TOKEN|><|' + names[m['role']] + '_TOKEN|>' + m['content'].strip()"
    " + '<|END_OF_TURN_TOKEN|>' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' -}}"
    "{%- endif -%}"
)
GRANITE_3 = """\
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = "You are Granite, developed by IBM." %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\\n' }}
{%- for m in loop_messages %}
    {{- '<|start_of_role|>' + m['role'] + '<|end_of_role|>' + m['content'] + '<|end_of_text|>\\n' }}
    {%- if loop.last and add_generation_prompt %}
        {{- '<|start_of_role|>assistant<|end_of_role|>' }}
    {%- endif %}
{%- endfor %}"""

_CHAT_ML = (
    "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
    "<|im_start|>assistant\n"
)

FAMILIES: dict[str, tuple[str, str]] = {
    "Llama 2": (
        LLAMA_2,
        "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Why? [/INST]",
    ),
    "Llama 3": (
        LLAMA_3,
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "Qwen 2.5": (QWEN_2_5, _CHAT_ML),
    "Qwen 3": (QWEN_3, _CHAT_ML),
    "Mistral": (
        MISTRAL,
        "<s>[SYSTEM_PROMPT]Be kind.[/SYSTEM_PROMPT][INST]Hi[/INST]Hello</s>[INST]Why?[/INST]",
    ),
    "Gemma": (
        GEMMA,
        "<bos><start_of_turn>user\nBe kind.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello"
        "<end_of_turn>\n<start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n",
    ),
    "Phi-4-mini": (
        PHI_4_MINI,
        "<|system|>Be kind.<|end|><|user|>Hi<|end|><|assistant|>Hello<|end|><|user|>Why?<|end|>"
        "<|assistant|>",
    ),
    "DeepSeek-R1": (
        DEEPSEEK_R1,
        "<｜begin▁of▁sentence｜>Be kind.<｜User｜>Hi<｜Assistant｜>Hello<｜end▁of▁sentence｜>"
        "<｜User｜>Why?<｜Assistant｜><think>\n",
    ),
    "GLM-4.5": (
        GLM_4_5,
        "[gMASK]<sop><|system|>\nBe kind.<|user|>\nHi<|assistant|>\n<think></think>\nHello"
        "<|user|>\nWhy?<|assistant|>",
    ),
    "Kimi K2": (
        KIMI_K2,
        "<|im_system|>system<|im_middle|>Be kind.<|im_end|><|im_user|>user<|im_middle|>Hi<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|>Hello<|im_end|><|im_user|>user<|im_middle|>Why?"
        "<|im_end|><|im_assistant|>assistant<|im_middle|>",
    ),
    "Command R": (
        COMMAND_R,
        "<BOS_TOKEN><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>Be kind.<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hi<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>Hello<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Why?<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
    ),
    "Granite 3": (
        GRANITE_3,
        "<|start_of_role|>system<|end_of_role|>Be kind.<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n"
        "<|start_of_role|>assistant<|end_of_role|>Hello<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|>Why?<|end_of_text|>\n"
        "<|start_of_role|>assistant<|end_of_role|>",
    ),
}
