"""The data set formats: a file a format, one table of them (``table``), and what they share (``protocol``).

A format's module has pure functions between text, or bytes, and value, and two that know files; either may
be absent:

- ``write(data: DataSet, sink: Files | Folder, options: WriteOptions) -> dict`` returns at least how many
  ``pictures`` were written; its ``remarks``, a list of sentences, are for the user; what else it returns goes
  into the report beside the output;
- ``read(place: str, options: ReadOptions) -> DataSet``.

A writer never opens a picture. It says how pictures are packed (``options.packed``) or where they are copied
(``options.copied``), and somebody else finds, fetches, checks, shrinks and counts them, on many processes,
again after a kill, or on other machines. One that only names pictures tells ``options.placed`` of each.

A module may also have ``check(data: DataSet)``, which raises before any work what ``write`` would find out.
"""
