{{/* Names and labels; each takes a dict of `root` and `name`, the process's name. */}}

{{- define "spine.name" -}}
{{ printf "%s-%s" .root.Release.Name .name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "spine.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- end }}

{{- define "spine.labels" -}}
{{ include "spine.selector" . }}
app.kubernetes.io/part-of: spine-temporal
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "spine.account" -}}
{{ .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary .Release.Name "default") }}
{{- end }}

{{- define "spine.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* The workers that are enabled, as JSON: Helm's templates return text only. */}}
{{- define "spine.workers" -}}
{{- $workers := list -}}
{{- range $name, $values := dict "agent-worker" .Values.agentWorker "tool-worker" .Values.toolWorker -}}
{{- if $values.enabled -}}
{{- $workers = append $workers (dict "name" $name "values" $values) -}}
{{- end -}}
{{- end -}}
{{ $workers | toJson }}
{{- end }}
