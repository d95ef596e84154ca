#pragma once

#include <string>

#include "data/tasks/task_item.h"

namespace qaq {

/// Reads a task: our JSONL or an original file of HellaSwag, PIQA (whose labels lie beside it, in
/// NAME-labels.lst) or MathQA. Which it is is told by the keys of its first record. Throws
/// Error{input} naming line and key where a record is broken, its answer is out of range, it has
/// fewer than two choices or an empty one; and where there is no item at all.
Task read_task(const std::string& path);

}  // namespace qaq
