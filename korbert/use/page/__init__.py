"""The page that `korbert serve` shows: index.html, page.js and page.css."""
