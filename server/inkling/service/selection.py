"""What the entry selected in the editor's own completion list means for a request. Pure."""

from dataclasses import replace

from inkling.service.records import CompletionRequest


def with_selected(request: CompletionRequest) -> CompletionRequest:
    """The request as if the entry selected in the editor's list were already inserted."""
    selected = request.selected
    if selected is None:
        return request
    data = request.document.data
    inserted = selected.text.encode("utf-8", "surrogatepass")
    document = replace(
        request.document, data=data[: selected.start] + inserted + data[selected.end :]
    )
    return replace(request, document=document, offset=selected.start + len(inserted))


def splits_word(request: CompletionRequest, text: str) -> bool:
    """Whether `text` goes on inside the word that was selected in the editor's list; an
    entry of that list is a whole word."""
    selected = request.selected
    if selected is None or not selected.text:
        return False
    return all(char.isalnum() or char == "_" for char in (selected.text[-1], text[0]))
