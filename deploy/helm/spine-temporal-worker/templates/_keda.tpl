{{/* What KEDA asks. Takes a dict of `root`, `name` and the worker's `values`. */}}
{{- define "spine.triggers" -}}
{{- $v := .root.Values -}}
{{- $secured := or $v.temporal.apiKeySecret.name $v.temporal.tlsSecret -}}
# Of the server, which answers without any worker, too; it knows nothing of what workers have in hand.
- type: temporal
  metadata:
    endpoint: {{ $v.temporal.address | quote }}
    namespace: {{ $v.temporal.namespace | quote }}
    taskQueue: {{ .values.taskQueue | quote }}
    queueTypes: {{ eq .name "agent-worker" | ternary "workflow,activity" "activity" }}
    targetQueueSize: {{ $v.autoscaling.stepsPerWorker | quote }}
    {{- if eq $v.versioning.mode "manual" }}
    workerDeploymentName: {{ $v.versioning.deploymentName | quote }}
    workerDeploymentBuildId: {{ $v.versioning.buildId | quote }}
    {{- end }}
    {{- with $v.temporal.tlsServerName }}
    tlsServerName: {{ . | quote }}
    {{- end }}
  {{- if $secured }}
  authenticationRef:
    name: {{ .root.Release.Name | quote }}
  {{- end }}
# Of a worker: the backlog of its build, and what that has in hand; not the runs that wait for people.
- type: metrics-api
  metadata:
    url: http://{{ include "spine.name" . }}.{{ .root.Release.Namespace }}.svc.cluster.local:8082/scale/{{ .values.taskQueue }}{{ if eq $v.versioning.mode "manual" }}?build={{ $v.versioning.buildId }}{{ end }}
    valueLocation: value
    targetValue: {{ $v.autoscaling.stepsPerWorker | quote }}
{{- end }}
