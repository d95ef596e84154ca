#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "core/analysis/table.h"
#include "core/base/progress.h"

namespace qaq {

/// One line of names, with units in brackets ("bits [bit]"), and one line a row; a cell without a
/// value is empty. Numbers are the shortest that read back as the same float32.
void write_csv(const Table& table, std::ostream& out, const Work& work = {});

/// The same with tabs between the cells, as spreadsheets take it from the clipboard.
void write_tsv(const Table& table, std::ostream& out, const Work& work = {});

/// One JSON document: the members of `head`, then "columns" ([{"name": ..., "unit": ...}]) and
/// "rows" (a list of lists in the order of the columns; null without a value).
void write_json(const Table& table, const nlohmann::ordered_json& head, std::ostream& out,
                const Work& work = {});

/// A Markdown table; numbers to four digits, a cell without a value is a dash.
void write_markdown(const Table& table, std::ostream& out);

}  // namespace qaq
