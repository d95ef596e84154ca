#pragma once

#include <QCoreApplication>
#include <QString>
#include <string>

namespace qaq::views {

/// What a chart of core's says, in the window's language: core knows none. Translations are listed
/// under the context "Chart"; what is not listed (numbers, names) stays as it is.
inline QString chartWords(const std::string& text) {
  return text.empty() ? QString() : QCoreApplication::translate("Chart", text.c_str());
}

}  // namespace qaq::views
