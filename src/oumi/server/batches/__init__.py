"""Files and batches in the form of OpenAI's API, on the durable batch jobs of this package.

https://platform.openai.com/docs/api-reference/batch
"""
