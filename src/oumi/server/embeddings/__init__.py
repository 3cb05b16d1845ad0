"""OpenAI's embeddings. https://platform.openai.com/docs/api-reference/embeddings"""
