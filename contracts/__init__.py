"""The frozen, versioned types that cross a process. Imports nothing of ours."""
