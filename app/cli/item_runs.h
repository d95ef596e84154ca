#pragma once

#include <functional>
#include <vector>

#include "app/cli/evaluation_items.h"
#include "app/cli/item_log.h"
#include "core/base/progress.h"

namespace qaq::cli {

/// How items are run: by what, and where finished ones are kept.
struct ItemRuns {
  ItemLog* log = nullptr;            ///< null: nowhere
  std::function<PrefixRun&()> open;  ///< asked once, where an item is still to be run
};

/// Runs every item, in order, but those that the log has finished; `out` holds what is finished
/// even where this throws. Throws Error{interrupted}, and Error{input} where the log's items are
/// others.
void run_items(const EvaluationItems& items, const ChoiceOptions& options, const ItemRuns& runs,
               std::vector<ItemResult>& out, const Work& work);

}  // namespace qaq::cli
