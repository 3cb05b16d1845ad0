"""llama.cpp inside this process, through xllamacpp."""
