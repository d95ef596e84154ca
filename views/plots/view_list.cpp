#include "views/plots/view_list.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "views/plots/attention_map_view.h"
#include "views/plots/bit_map_view.h"
#include "views/plots/broke_view.h"
#include "views/plots/compare_view.h"
#include "views/plots/delta_view.h"
#include "views/plots/distribution_view.h"
#include "views/plots/error_view.h"
#include "views/plots/formula_view.h"
#include "views/plots/heads_view.h"
#include "views/plots/memory_view.h"
#include "views/plots/outlier_map_view.h"
#include "views/plots/overlay_view.h"
#include "views/plots/persistence_view.h"
#include "views/plots/table_view.h"
#include "views/plots/token_view.h"
#include "views/plots/tradeoff_view.h"
#include "views/plots/where_view.h"

namespace qaq::views {
namespace {

struct ListedView {
  const char* id;
  std::unique_ptr<PlotView> (*make)(SelectionModel*);
};

template <class View>
std::unique_ptr<PlotView> make(SelectionModel* selection) {
  return std::make_unique<View>(selection);
}

constexpr std::array kViews{
    ListedView{"bits", make<BitMapView>},
    ListedView{"outliers", make<OutlierMapView>},
    ListedView{"attention", make<AttentionMapView>},
    ListedView{"persistence", make<PersistenceView>},
    ListedView{"errors", make<ErrorView>},
    ListedView{"distributions", make<DistributionView>},
    ListedView{"tradeoff", make<TradeoffView>},
    ListedView{"tokens", make<TokenView>},
    ListedView{"memory", make<MemoryView>},
    ListedView{"table", make<TableView>},
    ListedView{"formula", make<FormulaView>},
    ListedView{"compare", make<CompareView>},
    ListedView{"overlay", make<OverlayView>},
    ListedView{"delta", make<DeltaView>},
    ListedView{"broke", make<BrokeView>},
    ListedView{"where", make<WhereView>},
    ListedView{"heads", make<HeadsView>},
};

}  // namespace

QStringList viewIds() {
  QStringList ids;
  for (const ListedView& view : kViews) ids.push_back(QLatin1String(view.id));
  return ids;
}

std::unique_ptr<PlotView> makeView(const QString& id, SelectionModel* selection) {
  const auto* const found =
      std::ranges::find_if(kViews, [&](const ListedView& view) { return id == view.id; });
  if (found != kViews.end()) return found->make(selection);
  refuse_usage({.place = "figure",
                .what = "there is no view '" + id.toStdString() + "'",
                .cure = "choose one of " + viewIds().join(QLatin1String(", ")).toStdString()});
}

}  // namespace qaq::views
