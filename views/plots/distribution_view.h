#pragma once

#include <QPointer>
#include <array>

#include "views/models/derived.h"
#include "views/plots/chart_view.h"
#include "views/plots/choice_switch.h"
#include "views/plots/cut_handles.h"
#include "views/plots/distribution_chart.h"

namespace qaq::views {

/// V6: how the numbers of keys and values lie: density with log tails, the tails alone in standard
/// deviations, ranges of the channels; with handles where the outliers are cut off.
class DistributionView : public ChartView {
  Q_OBJECT

 public:
  explicit DistributionView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("distributions"); }
  QString title() const override { return tr("Distributions"); }
  void show(const SharedSlice& slice) override;
  void setTheme(const Theme& theme) override;
  bool isReady() const override { return m_made.isReady(); }
  std::optional<Table> table() const override;
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  QString summary() const override;

  /// One head, its layer, or the whole capture.
  void setScope(DistributionScope scope);
  DistributionScope scope() const { return m_scope; }
  /// The handles of keys or values; null before anything is shown, and where a cache is left exact.
  const CutHandles* handles(CacheSide side) const;

 signals:
  /// A handle was dragged to where this share of outliers cuts; `isFinal` once it is let go.
  void outliersRatioChosen(qaq::CacheSide side, double ratio, bool isFinal);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Made {
    std::shared_ptr<const Distributions> distributions;
    SharedSlice slice;  ///< that it was made for
    DistributionFacts key, value;
  };
  struct Drag {
    CacheSide side;
    bool isLow;
    double ratio;
  };
  void take(const std::shared_ptr<const Made>& made);
  void draw();
  void placeHandles();
  DistributionFacts facts(CacheSide side) const;
  bool press(const QPointF& position);
  void dragTo(const QPointF& position);
  void drop();
  QString placeText() const;

  SharedSlice m_slice;
  DistributionScope m_scope = DistributionScope::head;
  std::shared_ptr<const Made> m_shown;
  std::array<QPointer<CutHandles>, 2> m_handles;  ///< of keys, of values; the plot's
  std::optional<Drag> m_drag;
  ChoiceSwitch* m_switch;
  Derived<Made> m_made;
};

}  // namespace qaq::views
