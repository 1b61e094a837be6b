"""The house client: `python main_house.py --help`."""

import sys

from house_client.bootstrap import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
