#pragma once

#include <CLI/CLI.hpp>
#include <QSize>
#include <QString>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/scope_params.h"
#include "data/capture/run_name.h"
#include "views/models/slice.h"
#include "views/plots/palette.h"

namespace qaq::scope {

/// Flags that the window and figures share: what to show of a capture and how it looks.
struct Options {
  std::string policy;                    ///< --policy
  std::string preset;                    ///< --preset
  std::vector<std::string> assignments;  ///< --set
  std::int64_t prefix = 0;
  std::string theme;  ///< light, dark or empty
  std::string size;   ///< WxH or empty
};

void addOptions(CLI::App& app, Options& options);

/// Throws Error{usage} where a name or value is wrong, Error{input} for a preset file that is.
ScopeParams paramsOf(const Options& options);
/// The size that was given. Throws Error{usage}.
std::optional<QSize> sizeOf(const Options& options);
/// "WxH" in px, each side from 160 to 16384. Throws Error{usage}.
QSize parseSize(const std::string& text);
/// "key|value,LAYER,KV_HEAD,TOKEN[,STEP]" with the model's layer; nothing of an empty text. Throws
/// Error{usage}.
std::optional<views::Cursor> cellOf(const std::string& text);
/// The flags that say which bits a capture is given, and whether each was given.
std::vector<std::pair<const char*, bool>> settingFlags(const Options& options);
/// The setting of a stored run, in place of flags. Throws Error{usage} where one was given, too.
void takeRun(const RunName& name, const Options& options, ScopeParams& params,
             std::int64_t& prefix);
views::ThemeKind themeOf(const Options& options);

}  // namespace qaq::scope
