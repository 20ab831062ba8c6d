{{/* A worker's pod, of a Deployment or of a WorkerDeployment. Takes a dict of `root`, `name` and its `values`. */}}
{{- define "spine.workerPod" -}}
{{- $v := .root.Values -}}
{{- $controlled := eq $v.versioning.mode "controller" -}}
metadata:
  labels:
    {{- include "spine.selector" . | nindent 4 }}
    app.kubernetes.io/part-of: spine-temporal
    spine-temporal/worker: "true"
  annotations:
    # A changed setting rolls the pods, it does not wait for their next start.
    checksum/settings: {{ include "spine.settings" .root | sha256sum }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "spine.podSettings" . | nindent 2 }}
  containers:
    - name: worker
      image: {{ include "spine.image" .root }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      command: [python, /app/workers/{{ .name | replace "-" "_" }}.py]
      env:
        - name: SPINE_TEMPORAL_TASK_QUEUE
          value: {{ .values.taskQueue | quote }}
        {{- include "spine.workerEnv" .root | nindent 8 }}
      envFrom:
        - configMapRef:
            name: {{ include "spine.name" (dict "root" .root "name" "settings") }}
        {{- range $v.environmentSecrets }}
        - secretRef:
            name: {{ . | quote }}
            optional: true
        {{- end }}
      ports:
        - name: health
          containerPort: 8082
      # Connecting and importing the project's agents, up to a minute.
      startupProbe:
        httpGet: {path: /livez, port: health}
        periodSeconds: 2
        failureThreshold: 30
      # An event loop that has been held for 30 s.
      livenessProbe:
        httpGet: {path: /livez, port: health}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: health}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      resources: {{- toYaml .values.resources | nindent 8 }}
      securityContext: {{- include "spine.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- include "spine.volumeMounts" .root | nindent 8 }}
        {{- if not $controlled }}
        {{- if $v.temporal.apiKeySecret.name }}
        - {name: temporal-api-key, mountPath: /etc/temporal/api-key, readOnly: true}
        {{- end }}
        {{- if $v.temporal.tlsSecret }}
        - {name: temporal-tls, mountPath: /etc/temporal/tls, readOnly: true}
        {{- end }}
        {{- end }}
  volumes:
    {{- include "spine.volumes" .root | nindent 4 }}
    {{- range $volume, $secret := dict "temporal-api-key" $v.temporal.apiKeySecret.name "temporal-tls" $v.temporal.tlsSecret }}
    {{- if and $secret (not $controlled) }}
    - name: {{ $volume }}
      secret:
        secretName: {{ $secret | quote }}
        defaultMode: 0440
    {{- end }}
    {{- end }}
{{- end }}

{{/* Who we are for Temporal, and which version; the controller writes both itself. Takes the root. */}}
{{- define "spine.workerEnv" -}}
{{- with .Values -}}
{{- if ne .versioning.mode "controller" }}
{{- if .temporal.apiKeySecret.name }}
- name: SPINE_TEMPORAL_API_KEY_FILE
  value: {{ printf "/etc/temporal/api-key/%s" .temporal.apiKeySecret.key | quote }}
{{- end }}
{{- if .temporal.tlsSecret }}
- name: TEMPORAL_TLS_CLIENT_CERT_PATH
  value: /etc/temporal/tls/tls.crt
- name: TEMPORAL_TLS_CLIENT_KEY_PATH
  value: /etc/temporal/tls/tls.key
{{- end }}
{{- if .temporal.tlsServerName }}
- name: TEMPORAL_TLS_SERVER_NAME
  value: {{ .temporal.tlsServerName | quote }}
{{- end }}
{{- end }}
{{- if eq .versioning.mode "manual" }}
- name: TEMPORAL_DEPLOYMENT_NAME
  value: {{ .versioning.deploymentName | quote }}
- name: TEMPORAL_WORKER_BUILD_ID
  value: {{ .versioning.buildId | quote }}
{{- end }}
{{- with .extraEnv }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spine.settings" -}}
{{- with .Values -}}
TEMPORAL_ADDRESS: {{ .temporal.address | quote }}
TEMPORAL_NAMESPACE: {{ .temporal.namespace | quote }}
SPINE_TEMPORAL_PROJECT: {{ .project | quote }}
SPINE_TEMPORAL_HEALTH_ADDRESS: 0.0.0.0:8082
SPINE_TEMPORAL_GRACEFUL_SHUTDOWN_S: {{ .gracefulShutdownSeconds | quote }}
{{- if .keysSecret }}
SPINE_TEMPORAL_KEY_FILE: /etc/spine-temporal/keys/keys
{{- end }}
{{- end }}
{{- end }}
