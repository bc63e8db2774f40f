"""The pages: themes compiled at load, and the one way to turn a `PageReply` into bytes.

Called by `assembly` (compile and rehearse the themes of a generation) and, through the snapshot, for every
response that carries a page. Knows no endpoint, no store and no HTTP library: what a page may show is in
`protocol.pages`, what a theme may do is decided here. Sole importer of jinja2 and babel.
"""
