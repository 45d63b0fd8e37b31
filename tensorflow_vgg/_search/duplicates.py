"""Groups of images that are nearly the same."""

__all__ = ["groups"]

_NEIGHBOURS = 64


def groups(store, least):
    """The groups of a store's near-duplicates: lists of (similarity, Record), the largest first, in each by path.

    An image belongs to a group if it is as similar as `least`, a cosine, to one that does; its similarity is the
    largest to another of the group. Each is compared with its 64 nearest.
    """
    parents, records, closest = {}, {}, {}

    def root(row):
        while parents.setdefault(row, row) != row:
            parents[row] = row = parents[parents[row]]
        return row

    for block, features in store.blocks():
        for record, hits in zip(block, store.neighbours(features, _NEIGHBOURS)):
            for similarity, other in hits:
                if similarity < least or other.row == record.row:
                    continue
                for one in (record, other):
                    records[one.row] = one
                    closest[one.row] = max(similarity, closest.get(one.row, -1.0))
                parents[root(record.row)] = root(other.row)
    found = {}
    for row, record in records.items():
        found.setdefault(root(row), []).append((closest[row], record))
    ordered = [sorted(group, key=lambda pair: pair[1].file) for group in found.values()]
    return sorted(ordered, key=lambda group: (-len(group), group[0][1].file))
