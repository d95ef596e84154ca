#pragma once

#include <QMap>
#include <QWidget>

#include "core/analysis/scope_params.h"
#include "views/plots/theme.h"

class QCheckBox;
class QGridLayout;
class QLabel;
class QPushButton;
class QScrollArea;
class QToolButton;

namespace qaq::views {

class ParameterField;
class PolicyChooser;

/// The editor of what can be set: the policy, and below it all of its parameters, made from their
/// descriptions: a row for each, with a column for K and one for V. It knows no policy and no
/// parameter by name.
class ParameterPanel : public QWidget {
  Q_OBJECT

 public:
  explicit ParameterPanel(QWidget* parent = nullptr);

  const ScopeParams& params() const { return m_params; }
  /// Shows parameters without sending edited(). K and V are linked where all they share is equal.
  void setParams(const ScopeParams& params);
  /// The same, but K and V stay linked or not, unless they differ now: an undone change.
  void showParams(const ScopeParams& params);
  bool isLive() const;
  /// Shows whether every change is replayed, without sending liveChanged().
  void setLive(bool live);
  void setTheme(const Theme& theme);
  /// A word on the result: "current", "updating" or "older parameters"; or a refusal, with its
  /// line.
  void setState(const QString& word);
  void setError(const QString& line);
  PolicyChooser* chooser() const { return m_chooser; }
  ParameterField* field(const QString& name) const { return m_fields.value(name); }

 signals:
  void edited(const qaq::ScopeParams& params, bool final);
  void liveChanged(bool live);
  void runRequested();
  void copyRequested();

 private:
  struct Row {
    QStringList names;  ///< of the parameters in the row
    QToolButton* reset = nullptr;
    QLabel* dot = nullptr;
  };
  void makeRows();
  void addLink(QGridLayout* grid);
  void addHeading(QGridLayout* grid, const QString& section);
  void addRow(QGridLayout* grid, const QList<Parameter>& parameters);
  void addField(QGridLayout* grid, const Parameter& parameter, int column, int span);
  QWidget* makeFoot();
  void edit(const QString& name, const ParameterValue& value, bool final);
  void reset(const QStringList& names);
  void refresh();
  bool twinsAgree() const;

  void take(const ScopeParams& params);
  void choosePolicy(const QString& name);
  void colorDots();

  ScopeParams m_params;
  Theme m_theme = Theme::of(ThemeKind::light);
  PolicyChooser* m_chooser;
  QScrollArea* m_scroll;
  QMap<QString, ParameterField*> m_fields;
  QList<Row> m_rows;
  QToolButton* m_link = nullptr;
  QCheckBox* m_live = nullptr;
  QLabel* m_state = nullptr;
  QLabel* m_error = nullptr;
  QPushButton* m_run = nullptr;
};

}  // namespace qaq::views
