"""The HTTP doors of CityVision: thin routes, one file a domain. OpenAPI is the contract of the console."""
