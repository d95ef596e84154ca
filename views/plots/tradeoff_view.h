#pragma once

#include <QPointer>

#include "core/analysis/run_tradeoff.h"
#include "views/plots/chart_view.h"
#include "views/plots/choice_switch.h"
#include "views/plots/point_labels.h"

class QComboBox;

namespace qaq::views {

/// V7: every run of the capture by how many times smaller it is and what it loses, with the front
/// of those that no other beats. The setting that is shown elsewhere is circled; held against one
/// of the same capture, both carry their letter, colour and sign.
class TradeoffView : public ChartView {
  Q_OBJECT

 public:
  using Runs = std::shared_ptr<const std::vector<RunSummary>>;

  explicit TradeoffView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("tradeoff"); }
  QString title() const override { return tr("Trade-off"); }
  void show(const SharedSlice& slice) override;
  void setTheme(const Theme& theme) override;
  std::optional<Table> table() const override;
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;

  /// Runs of the capture beside the setting that is shown, which counts once it is whole.
  void setRuns(const Runs& runs);
  void setAccounting(Accounting accounting);
  /// One of run_losses(); the most telling that a run has where it is empty or no run has it.
  void setLoss(const QString& loss);
  Accounting accounting() const { return m_accounting; }
  QString loss() const { return m_loss; }
  /// Runs as they are drawn: setRuns()'s first.
  const std::vector<RunSummary>& runs() const { return m_all; }
  const std::vector<RunPoint>& points() const { return m_points; }
  const PointLabels* labels() const { return m_labels; }

 signals:
  /// A run's point was clicked: an index into runs().
  void runChosen(int index);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void gather();
  /// Where it stands in m_all, which gets it if need be; -1: there is none.
  int placeOf(const std::optional<RunSummary>& run);
  void draw();
  void placeLabels();
  Chart chart() const;
  QStringList kinds() const;

  SharedSlice m_slice;
  Runs m_runs;
  std::optional<RunSummary> m_present;  ///< the setting that is shown, with all its errors
  std::vector<RunSummary> m_all;
  std::vector<RunPoint> m_points;
  std::optional<RunSummary> m_reference;  ///< A, with all its errors
  int m_presentIndex = -1;                ///< in m_all
  int m_referenceIndex = -1;
  Accounting m_accounting = Accounting::packed;
  QString m_loss;    ///< that is drawn
  QString m_wanted;  ///< that was asked for
  ChoiceSwitch* m_switch;
  QComboBox* m_losses;
  QPointer<PointLabels> m_labels;  ///< the plot's
};

}  // namespace qaq::views
