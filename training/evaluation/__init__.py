"""How a model does beyond its headline: groups, themes, weeks, other authorities, mistakes."""
