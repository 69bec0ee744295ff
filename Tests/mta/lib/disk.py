"""A small file system in memory, which is soon full."""
import os
import subprocess

import processes
from results import Skip


class SmallDisk:
    """tmpfs of `size` at `folder`, a new one if none is named, for as long as the `with` lasts. Skips the case where none can be mounted."""

    def __init__(self, size, folder=None, mode='0755'):
        self.options, self.folder = f'size={size},mode={mode}', folder or processes.folder()
        self.filling = os.path.join(self.folder, 'filling')

    def __enter__(self):
        made = subprocess.run(['mount', '-t', 'tmpfs', '-o', self.options, 'none', self.folder], capture_output=True, text=True)
        if made.returncode:
            raise Skip('no tmpfs can be mounted: ' + made.stderr.strip())
        return self

    def __exit__(self, *_):
        subprocess.run(['umount', '--lazy', self.folder], check=True)

    def fill(self):
        """Takes the room that is left."""
        with open(self.filling, 'wb', buffering=0) as file:
            try:
                while file.write(b'x' * 4096):
                    continue
            except OSError:             # ENOSPC: that is what this is for
                return

    def free(self):
        """Gives it back."""
        os.unlink(self.filling)
