"""Sources as data: addresses, selectors, layouts with an end date, rights with their evidence."""
