"""How pictures look: matplotlib's style and the HTML page that several verbs share."""
