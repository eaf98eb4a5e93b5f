"""What is said of pictures that readers may take for something else."""

from dataclasses import dataclass

from manifest_tools.base.text import counted


@dataclass(slots=True)
class PictureCounts:
    """How many pictures readers may take for something else."""

    turned: int = 0
    """Stored turned, with a flag that not every reader obeys."""

    shallow: int = 0
    """Of 16 bits a colour, with no value of more than 12."""

    def add(self, turned: int, shallow: int) -> None:
        """Count pictures."""
        self.turned += turned
        self.shallow += shallow

    def remarks(self, pass_through: bool) -> list[str]:
        """Return what is to be said of them, a sentence each."""
        found = [f"{turned_remark(self.turned)}; type --upright to turn them"] if self.turned else []
        if self.shallow:
            pictures = f"{counted(self.shallow, 'picture')} of 16 bits with no value of more than 12"
            found.append(
                f"{pictures}: black to readers that keep the upper 8 bits, such as OpenCV; to scale them,"
                " type --resize N"
                if pass_through
                else f"{pictures}: scaled, so that they are not black"
            )
        return found


def turned_remark(count: int) -> str:
    """Return what readers make of pictures that are stored turned."""
    return (
        f"{counted(count, 'picture')} stored turned, with an EXIF flag: OpenCV turns them upright, MXNet's"
        " reader of RecordIO turns JPEGs alone, Pillow (torchvision) and TensorFlow turn none"
    )
