"""`oumi report --serve`: the page of a report, whose rows and figures come as it asks for them."""
