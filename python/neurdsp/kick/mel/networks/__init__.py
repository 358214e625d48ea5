"""The networks of the preset ``seed`` in torch, which train them; nothing that plays a kick needs them."""
