"""llama.cpp inside this process, through xllamacpp. `backend` loads it, `row` does not."""
