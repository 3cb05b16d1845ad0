"""One HTML file that shows a run, or several side by side, and asks nothing of anybody.

`page/` holds the page as it is read and edited; `page_file.py` puts it and the data into one file.
"""
