#pragma once

#include <QString>
#include <QStringList>
#include <optional>

#include "core/base/parameters.h"

namespace qaq::views {

/// "target error = 0.03" taken apart.
struct ParameterLine {
  QString name;   ///< as --set takes it: "target_quantization_error"
  QString value;  ///< empty: not given yet
};

/// What `line` says about a parameter: its name, or the word that people use for it ("window",
/// "key.target error"), then "=" or a space, then a value. None where no parameter is called so.
std::optional<ParameterLine> readParameterLine(const QString& line,
                                               const std::vector<Parameter>& parameters);

/// Words that people use for a parameter, beside its name; in the user's language.
QStringList wordsFor(const QString& bareName);

}  // namespace qaq::views
