"""How a network becomes a version: of a training or from elsewhere, judged, let on or given up."""
