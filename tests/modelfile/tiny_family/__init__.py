"""A family as small as can be: stereo gains with int8 weights, of which only Python knows."""
