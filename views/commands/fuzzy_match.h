#pragma once

#include <QString>
#include <optional>

namespace qaq::views {

/// How well `query` abbreviates `text`: all its letters in their order, each of its words apart;
/// beginnings of words and letters in a row count most. Case does not matter. None where it does
/// not, or only by letters strewn about. An empty query fits everything with 0.
std::optional<int> fuzzyScore(const QString& query, const QString& text);

}  // namespace qaq::views
