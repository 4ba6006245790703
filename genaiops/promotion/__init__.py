"""Reports become a verdict; a verdict a release; a release the champion."""
